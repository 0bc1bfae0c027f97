/** The oldest Node that these programs run on, as in `engines` of package.json. */
const MAJOR = 22;
const MINOR = 19;

/** Why this Node won't do, or undefined when it will. `version` is without a leading "v". */
export function nodeProblem(version: string, program = 'synap-recorder'): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return undefined;
  return `${program} needs Node ${MAJOR}.${MINOR} or later; this is v${version}`;
}
