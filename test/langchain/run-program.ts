import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempFolder } from '../support/temp-folder.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs a program in a process of its own that resolves packages as this project does, and records to a scripted Synap.
 *
 * @returns what it wrote
 */
export async function runProgram(code: string, synap: string, type: 'cjs' | 'mjs'): Promise<string> {
  const folder = tempFolder();
  const file = join(folder, `app.${type}`);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(file, code);
  const env = { ...process.env, SYNAP_BASE_URL: synap, SYNAP_API_KEY: 'k' };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: 100_000 });
  return stdout;
}
