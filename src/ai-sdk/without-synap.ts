import { withChanges } from './overlay.js';

/** Brings a value into the form that a provider may get; the very same value where nothing is to be done. */
type Clean = (value: unknown) => unknown;

type Fields = Readonly<Record<string, Clean>>;

/**
 * Options without `providerOptions.synap`, which is for the recorder alone: those of a call of the SDK or of a model, and
 * wherever the SDK takes options for the provider within them: messages, their parts, the outputs of tools, tools.
 */
export function withoutSynap<O>(options: O): O {
  try {
    return cleaned(options, OPTIONS) as O;
  } catch {
    // Something within can't be read; the SDK will say so.
    return cleaned(options, {}) as O;
  }
}

const parts = listOf(value => cleaned(value, PART));
const messages = listOf(value => cleaned(value, { content: parts }));
const output: Clean = value => cleaned(value, { value: parts });
const PART: Fields = { output };
const tools: Clean = value => (Array.isArray(value) ? listOf(tool)(value) : recordOf(tool)(value));
const system: Clean = value => (Array.isArray(value) ? messages(value) : cleaned(value, {}));
const settings: Clean = value => cleaned(value, {});
const OPTIONS: Fields = {
  prompt: messages,
  messages,
  tools,
  system,
  instructions: system,
  // Of a middleware that has defaults for all calls.
  settings,
};

function tool(value: unknown): unknown {
  return cleaned(value, {});
}

function cleaned(value: unknown, fields: Fields): unknown {
  if (!isObject(value)) return value;
  const changes: Record<string, unknown> = {};
  const { providerOptions } = value;
  if (isObject(providerOptions) && 'synap' in providerOptions) changes.providerOptions = others(providerOptions);
  for (const [name, clean] of Object.entries(fields)) {
    const before = value[name];
    const after = clean(before);
    if (after !== before) changes[name] = after;
  }
  return Object.keys(changes).length === 0 ? value : withChanges(value, changes);
}

function listOf(clean: Clean): Clean {
  return value => {
    if (!Array.isArray(value)) return value;
    const list = value.map(clean);
    return list.some((entry, index) => entry !== value[index]) ? list : value;
  };
}

function recordOf(clean: Clean): Clean {
  return value => {
    if (!isObject(value)) return value;
    const changed = Object.entries(value).flatMap(([name, entry]) => {
      const after = clean(entry);
      return after === entry ? [] : [[name, after] as const];
    });
    return changed.length === 0 ? value : withChanges(value, Object.fromEntries(changed));
  };
}

/** Provider options without those for the recorder; undefined when there are no others. */
function others(providerOptions: object): object | undefined {
  const rest = withChanges(providerOptions, {});
  Reflect.deleteProperty(rest, 'synap');
  for (const _ in rest) return rest;
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
