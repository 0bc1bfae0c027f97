import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const viewer = 'local/viewer';

// A file that has left src/ must leave dist/ too, or it would still be packed.
rmSync(`${root}dist`, { recursive: true, force: true });
// What runs in a browser knows no Node, and the rest no page.
for (const project of ['tsconfig.json', `src/${viewer}/client/tsconfig.json`])
  execFileSync('tsc', ['-p', project], { cwd: root, stdio: 'inherit' });
cpSync(`${root}src/${viewer}/assets`, `${root}dist/${viewer}/assets`, { recursive: true });
chmodSync(`${root}dist/cli/main.js`, 0o755);
