// Puts the programs of examples/ into the README, where it names them. With --check, only says whether they are there.

import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const readme = new URL('README.md', root);
const before = readFileSync(readme, 'utf8');
const after = before.replaceAll(/<!-- (examples\/\S+) -->\n```ts\n[\s\S]*?```/g, (_, file: string) => {
  const program = readFileSync(new URL(file, root), 'utf8').trimEnd();
  return `<!-- ${file} -->\n\`\`\`ts\n${program}\n\`\`\``;
});

if (!process.argv.includes('--check')) writeFileSync(readme, after);
else if (before !== after) {
  console.error('README.md does not show the programs of examples/ as they are: run npm run readme');
  process.exitCode = 1;
}
