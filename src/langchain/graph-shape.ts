import { BoundedMap } from '../internal/bounded-map.js';
import { isObject } from '../internal/guards.js';

const END = '__end__';
// An app has few graphs, however often it compiles them.
const MAX_SHAPES = 200;
const MAX_NODES = 1000;

/**
 * Which nodes of a LangGraph graph may give the answer. That is asked only of a run that did not reach its end: there the state
 * does not tell, and a router's text must not be taken for the answer.
 *
 * A node that put an answer into the state before may answer; one whose model ran and that put none there may not. Of a node
 * that has not finished yet, the edges tell: it may answer where the graph may end behind it.
 */
export class GraphShape {
  readonly #successors: ReadonlyMap<string, ReadonlySet<string> | 'any'>;
  readonly #leadOn: ReadonlySet<string>;
  readonly #answered = new Map<string, boolean>();

  /** @param leadOn the nodes that an edge without a condition leads away from, to another node */
  constructor(
    successors: ReadonlyMap<string, ReadonlySet<string> | 'any'>,
    leadOn: ReadonlySet<string> = new Set<string>(),
  ) {
    this.#successors = successors;
    this.#leadOn = leadOn;
  }

  /** Whether another node always follows: a run that ends behind this one has stopped at a breakpoint. */
  leadsOn(node: string): boolean {
    return this.#leadOn.has(node);
  }

  /** A node in which a model has run is finished. */
  learn(node: string, answered: boolean): void {
    if (this.#answered.size < MAX_NODES || this.#answered.has(node))
      this.#answered.set(node, answered || this.#answered.get(node) === true);
  }

  mayAnswer(node: string): boolean {
    if (isMiddleware(node)) return false;
    return this.#answered.get(node) ?? this.#isLast(node, new Set());
  }

  #isLast(node: string, seen: Set<string>): boolean {
    if (seen.has(node)) return false;
    seen.add(node);
    const successors = this.#successors.get(node);
    if (successors === undefined || (successors !== 'any' && successors.size === 0)) return true;
    // Where a function picks the next node and does not say among which, the graph ends here only if nothing else leads there.
    if (successors === 'any')
      return ![...this.#successors.keys()].some(other => other !== node && this.#endsBehind(other));
    if (successors.has(END)) return true;
    return [...successors].some(next => isMiddleware(next) && this.#isLast(next, seen));
  }

  #endsBehind(node: string): boolean {
    const successors = this.#successors.get(node);
    return successors !== 'any' && successors !== undefined && (successors.size === 0 || successors.has(END));
  }
}

const known = new WeakMap<object, GraphShape>();
const byEdges = new BoundedMap<GraphShape>(MAX_SHAPES);

/** @returns the shape of a compiled graph; undefined for everything else, such as a function of LangGraph's functional API */
export function graphShape(graph: object | undefined): GraphShape | undefined {
  const builder = isObject(graph) ? graph.builder : undefined;
  if (!isObject(builder) || !isObject(builder.nodes)) return undefined;
  const found = known.get(builder);
  if (found) return found;
  const successors = successorsOf(builder, builder.nodes);
  if (!successors) return undefined;
  // Apps compile a graph anew for each request; what was learned of it holds for the next one.
  const leadOn = leadingOn(builder.edges);
  const edges = [...successors].map(([node, next]) => [
    node,
    leadOn.has(node),
    next === 'any' ? next : [...next].sort(),
  ]);
  const key = JSON.stringify(edges);
  const shape = byEdges.get(key) ?? new GraphShape(successors, leadOn);
  byEdges.set(key, shape);
  known.set(builder, shape);
  return shape;
}

function successorsOf(
  builder: Record<string, unknown>,
  nodes: Record<string, unknown>,
): ReadonlyMap<string, ReadonlySet<string> | 'any'> | undefined {
  const names = Object.keys(nodes);
  if (names.length > MAX_NODES) return undefined;
  const successors = new Map<string, Set<string> | 'any'>(names.map(name => [name, new Set()]));
  const add = (from: string, to: string) => {
    const set = successors.get(from);
    if (set !== undefined && set !== 'any') set.add(to);
  };
  for (const edges of [builder.edges, builder.waitingEdges])
    if (edges instanceof Set)
      for (const [from, to] of edges as Set<[string | string[], string]>) for (const one of [from].flat()) add(one, to);
  for (const [name, node] of Object.entries(nodes))
    if (isObject(node) && Array.isArray(node.ends)) for (const end of node.ends) add(name, String(end));
  if (!isObject(builder.branches)) return successors;
  for (const [from, branches] of Object.entries(builder.branches))
    for (const branch of Object.values(isObject(branches) ? branches : {})) {
      const ends = isObject(branch) ? branch.ends : undefined;
      if (isObject(ends)) for (const end of Object.values(ends)) add(from, String(end));
      else if (successors.has(from)) successors.set(from, 'any');
    }
  return successors;
}

// Behind a branch there may be nothing, and an edge of several nodes waits for all of them.
function leadingOn(edges: unknown): Set<string> {
  const all = edges instanceof Set ? [...(edges as Set<[string, string]>)] : [];
  return new Set(all.filter(([, to]) => to !== END).map(([from]) => from));
}

/** Middleware of LangChain's agents runs in nodes of its own. It watches what the agent says. */
function isMiddleware(node: string): boolean {
  return /\.(before|after)_(model|agent)$/.test(node);
}
