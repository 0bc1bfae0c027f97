// Packs both packages. Installs the recorder's tarball alone into an empty project, and counts what comes with it. Then
// installs both as a user would, type-checks and runs the programs of the README there, and starts the local Synap
// through the installed bin.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scriptedModel } from 'synap-recorder-local/model';

const root = fileURLToPath(new URL('..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'synap-recorder-pack-'));
// This Node, for everything that says `node`.
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
const sh = (command: string, args: string[], options: object = {}) =>
  execFileSync(command, args, {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });

/** What an app that only records may install, beside zod, which it mostly has. */
const MAX_PACKAGES = 6;
const MAX_BYTES = 4e6;

try {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const recorder = pack('.', /^dist\/.*\.(js|d\.ts)$/);
  const localSynap = pack('local', /^dist\/(.*\.(js|d\.ts)|viewer\/assets\/[^/]+\.(css|svg))$/);

  const { packages, bytes } = installedAlone(recorder.filename);
  console.log(`${packages.length} packages, ${(bytes / 1e6).toFixed(2)} MB beside zod: ${packages.join(', ')}`);
  if (packages.length > MAX_PACKAGES || bytes > MAX_BYTES)
    throw new Error(`an app that only records installs more than ${MAX_PACKAGES} packages or ${MAX_BYTES / 1e6} MB`);

  const peers = ['ai', '@ai-sdk/openai', '@langchain/core', '@langchain/openai', 'typescript', '@types/node'];
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  install(
    project,
    `./${recorder.filename}`,
    `./${localSynap.filename}`,
    ...peers.map(name => `${name}@${devDependencies[name]}`),
  );

  const programs = ['ai-sdk.ts', 'langchain.ts', 'by-hand.ts'];
  for (const program of programs) cpSync(join(root, 'examples', program), join(project, program));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: programs }));
  sh('npx', ['tsc']);

  // Our own declarations must hold without skipLibCheck, and without LangChain, whose own don't.
  const entries = [...entriesOf('.'), ...entriesOf('local')].filter(entry => entry !== 'synap-recorder/langchain');
  writeFileSync(
    join(project, 'types.ts'),
    entries.map((entry, index) => `export * as e${index} from '${entry}';\n`).join(''),
  );
  const strictest = { ...compilerOptions, skipLibCheck: false };
  writeFileSync(
    join(project, 'types.tsconfig.json'),
    JSON.stringify({ compilerOptions: strictest, files: ['types.ts'] }),
  );
  sh('npx', ['tsc', '-p', 'types.tsconfig.json']);

  seeCommands();

  // A group of its own, to be sent Ctrl-C as a terminal sends it: to npx and all it has started.
  const synap = spawn('npx', ['synap-recorder-local', '--port', '0', '--database', 'synap.db', '--json'], {
    cwd: project,
    env,
    detached: true,
    timeout: 120_000,
  });
  synap.stderr.pipe(process.stderr);
  const stopped = new Promise(resolve => synap.on('exit', resolve));
  const model = await scriptedModel(() => ({ text: ['Air scatters blue light ', 'more than red.'] }));
  try {
    const first = await createInterface({ input: synap.stdout })[Symbol.asyncIterator]().next();
    const { url, apiKey } = JSON.parse(first.value ?? '{}');
    const appEnv = {
      ...env,
      SYNAP_BASE_URL: url,
      SYNAP_API_KEY: apiKey,
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'scripted',
    };
    for (const program of programs) await run(program, appEnv);
    const answer = await fetch(`${url}/v1/conversations`, { headers: { authorization: `Bearer ${apiKey}` } });
    const { conversations } = (await answer.json()) as { conversations: { message_count: number }[] };
    // The three programs speak of one chat of one user: one conversation, of three turns.
    if (conversations.length !== 1 || conversations[0]?.message_count !== 2 * programs.length)
      throw new Error(`the installed package recorded ${JSON.stringify(conversations)}`);
    await seeViewer(url, apiKey);
  } finally {
    await model.close();
    process.kill(-(synap.pid ?? 0), 'SIGINT');
    await stopped;
  }
  for (const { filename, size } of [recorder, localSynap])
    console.log(`${filename} (${Math.round(size / 1024)} KiB) installs, type-checks and runs`);
} finally {
  rmSync(project, { recursive: true, force: true });
}

interface Packed {
  readonly filename: string;
  readonly size: number;
}

/** Packs the package in a folder; besides `expected`, it may hold what npm always packs. */
function pack(folder: string, expected: RegExp): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const [packed] = JSON.parse(sh('npm', args, { cwd: join(root, folder) }));
  const files: string[] = packed.files.map((file: { path: string }) => file.path);
  const strays = files.filter(file => !expected.test(file) && !/^(package\.json|README\.md|LICENSE)$/.test(file));
  if (strays.length > 0) throw new Error(`${packed.filename} holds what is not the package: ${strays.join(', ')}`);
  return packed;
}

function install(folder: string, ...packages: string[]): void {
  sh('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder });
}

/** What a project has, beside zod, after it has installed a tarball and nothing else. */
function installedAlone(tarball: string): { packages: string[]; bytes: number } {
  const folder = join(project, 'recorder-alone');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  install(folder, `../${tarball}`);
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  const packages = Object.keys(lock.packages).filter(path => path !== '' && path !== 'node_modules/zod');
  const files = packages.flatMap(path =>
    readdirSync(join(folder, path), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  // It runs with what it has.
  sh('node', ['-e', "import('synap-recorder').then(({ createRecorder }) => createRecorder({ enabled: false }))"], {
    cwd: folder,
  });
  return { packages: packages.map(path => path.replace('node_modules/', '')), bytes };
}

/** The names by which a package's entries are imported. */
function entriesOf(folder: string): string[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  return Object.keys(exports)
    .filter(entry => entry !== './package.json')
    .map(entry => name + entry.slice(1));
}

/** The installed bins say their version, and the recorder's names the other for what has moved there. */
function seeCommands(): void {
  for (const bin of ['synap-recorder', 'synap-recorder-local']) {
    const { version } = JSON.parse(readFileSync(join(project, 'node_modules', bin, 'package.json'), 'utf8'));
    const said = sh('npx', [bin, '--version']).trim();
    if (said !== version) throw new Error(`${bin} --version says ${said}, not ${version}`);
  }
  const { status, stderr } = spawnSync('npx', ['synap-recorder', 'show', 'chat-42'], {
    cwd: project,
    env,
    encoding: 'utf8',
  });
  if (status !== 2 || !stderr.includes('npx synap-recorder-local show'))
    throw new Error(`synap-recorder show ended with ${status}: ${stderr}`);
}

/** The page of the viewer, and every file that it and its scripts name. */
async function seeViewer(url: string, apiKey: string): Promise<void> {
  const body = new URLSearchParams({ key: apiKey });
  const session = await fetch(`${url}/session`, { method: 'POST', body, redirect: 'manual' });
  const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const read = async (path: string) => {
    const response = await fetch(url + path, { headers: { cookie, accept: 'text/html' } });
    if (!response.ok) throw new Error(`the viewer answered ${response.status} for ${path}`);
    return await response.text();
  };
  const seen = new Set<string>();
  const visit = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await read(path);
    for (const [, file] of text.matchAll(/"(\/assets\/[\w.-]+)"/g)) await visit(file ?? '');
    for (const [, file] of text.matchAll(/from '\.\/([\w-]+\.js)'/g)) await visit(`/assets/${file}`);
  };
  await visit('/');
  await visit('/assets/conversation.js');
  await visit('/assets/sign-in.js');
  if (seen.size < 12) throw new Error(`the viewer has only ${[...seen].join(', ')}`);
}

// Not execFileSync: the model server is in this process and must be free to answer.
function run(program: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });
}
