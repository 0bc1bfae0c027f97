// Builds both packages: the recorder first, because the local Synap imports it by its name.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// A file that has left src/ must leave dist/ too, or it would still be packed.
for (const folder of ['dist', 'local/dist']) rmSync(`${root}${folder}`, { recursive: true, force: true });
// What runs in a browser knows no Node, and the rest no page.
for (const project of ['tsconfig.json', 'local/tsconfig.json', 'local/src/viewer/client/tsconfig.json'])
  execFileSync('tsc', ['-p', project], { cwd: root, stdio: 'inherit' });
cpSync(`${root}local/src/viewer/assets`, `${root}local/dist/viewer/assets`, { recursive: true });
for (const folder of ['dist', 'local/dist']) chmodSync(`${root}${folder}/cli/main.js`, 0o755);
