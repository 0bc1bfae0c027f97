import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeProblem } from '../node-version.js';
import { type Check, ok, skipped, wrong } from './check.js';

interface Peer {
  readonly name: string;
  /** In words. */
  readonly supported: string;
  supports(major: number, minor: number): boolean;
}

const PEERS: readonly Peer[] = [
  { name: 'ai', supported: '5, 6 or 7', supports: major => major >= 5 && major <= 7 },
  {
    name: '@langchain/core',
    supported: '0.3 or 1.x',
    supports: (major, minor) => major === 1 || (major === 0 && minor >= 3),
  },
];

/** What a project runs on: this Node, and the frameworks that a program in `folder` would import. */
export function checkProject(folder: string): Check[] {
  return [checkNode(), ...PEERS.map(peer => checkPeer(peer, folder))];
}

function checkNode(): Check {
  const problem = nodeProblem(process.versions.node);
  return problem === undefined
    ? ok('node', `v${process.versions.node}`)
    : wrong('node', problem, 'install Node 22.19 or later');
}

function checkPeer({ name, supported, supports }: Peer, folder: string): Check {
  const version = installedVersion(name, folder);
  if (version === undefined) return skipped(name, 'not installed here; it is only needed for its adapter');
  const [major = Number.NaN, minor = 0] = version.split('.').map(Number);
  if (supports(major, minor)) return ok(name, version);
  return wrong(name, `${version}; synap-recorder works with ${supported}`, `npm install ${name}@latest`);
}

/** As Node finds a package from there: in the nearest node_modules that has it. */
function installedVersion(name: string, folder: string): string | undefined {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { version } = JSON.parse(readFileSync(join(place, 'node_modules', name, 'package.json'), 'utf8'));
      if (typeof version === 'string') return version;
    } catch {
      // Not here.
    }
    if (dirname(place) === place) return undefined;
  }
}
