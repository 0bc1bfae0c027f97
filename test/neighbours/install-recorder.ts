import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Puts the built package beside its neighbours, where an app would have it: of each peer there is one copy. */
export default function installRecorder(): void {
  const to = join(import.meta.dirname, 'node_modules/synap-recorder');
  const root = join(import.meta.dirname, '../..');
  rmSync(to, { recursive: true, force: true });
  for (const part of ['package.json', 'dist']) cpSync(join(root, part), join(to, part), { recursive: true });
}
