// Packs the package, installs the tarball into an empty project as a user would, type-checks and runs the programs of
// the README there, and starts the local Synap through the installed bin.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scriptedModel } from '../test/support/scripted-model.ts';

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

try {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [packed] = JSON.parse(
    sh('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: root }),
  );
  const files: string[] = packed.files.map((file: { path: string }) => file.path);
  const strays = files.filter(
    file =>
      !/^(dist\/.*\.(js|d\.ts)|dist\/local\/viewer\/assets\/[^/]+\.(css|svg)|package\.json|README\.md|LICENSE)$/.test(
        file,
      ),
  );
  if (strays.length > 0) throw new Error(`the tarball holds what is not the package: ${strays.join(', ')}`);

  const peers = ['ai', '@ai-sdk/openai', '@langchain/core', '@langchain/openai', 'typescript', '@types/node'];
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  sh('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    `./${packed.filename}`,
    ...peers.map(name => `${name}@${devDependencies[name]}`),
  ]);

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

  // Our own declarations must hold without skipLibCheck, and without any framework.
  writeFileSync(
    join(project, 'types.ts'),
    `export * from 'synap-recorder';\nexport * from 'synap-recorder/local';\nexport * from 'synap-recorder/ai-sdk';\n`,
  );
  const strictest = { ...compilerOptions, skipLibCheck: false };
  writeFileSync(
    join(project, 'types.tsconfig.json'),
    JSON.stringify({ compilerOptions: strictest, files: ['types.ts'] }),
  );
  sh('npx', ['tsc', '-p', 'types.tsconfig.json']);

  // A group of its own, to be sent Ctrl-C as a terminal sends it: to npx and all it has started.
  const synap = spawn('npx', ['synap-recorder', 'local', '--port', '0', '--database', 'synap.db', '--json'], {
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
  console.log(`${packed.filename} (${Math.round(packed.size / 1024)} KiB) installs, type-checks and records`);
} finally {
  rmSync(project, { recursive: true, force: true });
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
