import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/** The sources that an entry of a package is built from: `dist/x.js` is `src/x.ts`. */
function entriesOf(folder: string): { find: RegExp; replacement: string }[] {
  const { name, exports } = JSON.parse(readFileSync(new URL(`${folder}package.json`, root), 'utf8'));
  return Object.entries<string | { default: string }>(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([entry, target]) => ({
      find: new RegExp(`^${name}${entry.slice(1)}$`),
      replacement: fileURLToPath(
        new URL(
          folder + (target as { default: string }).default.replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
          root,
        ),
      ),
    }));
}

/** Aliases by which tests run the sources of both packages, unbuilt, where they are imported by their public names. */
export const sources = [
  { find: /^#http$/, replacement: fileURLToPath(new URL('src/synap/http.ts', root)) },
  { find: /^#diagnostics$/, replacement: fileURLToPath(new URL('src/internal/diagnostics.ts', root)) },
  ...entriesOf('./'),
  ...entriesOf('local/'),
];
