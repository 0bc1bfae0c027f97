// Puts the programs of examples/ into the README and the pages of docs/, where they name them. With --check, only says
// whether they are there.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const manual = readdirSync(new URL('docs/', root)).filter(file => file.endsWith('.md'));
const pages = ['README.md', ...manual.map(file => `docs/${file}`)];

for (const page of pages) {
  const before = readFileSync(new URL(page, root), 'utf8');
  const after = before.replaceAll(/<!-- (examples\/\S+) -->\n```ts\n[\s\S]*?```/g, (_, file: string) => {
    const program = readFileSync(new URL(file, root), 'utf8').trimEnd();
    return `<!-- ${file} -->\n\`\`\`ts\n${program}\n\`\`\``;
  });
  if (before === after) continue;
  if (!process.argv.includes('--check')) writeFileSync(new URL(page, root), after);
  else {
    console.error(`${page} does not show the programs of examples/ as they are: run npm run readme`);
    process.exitCode = 1;
  }
}
