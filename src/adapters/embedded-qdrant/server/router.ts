import { QdrantError } from '../qdrant-error';
import type { Handler } from './request';

export interface Route {
  handler: Handler;
  /** Names of the parameters after `?` that the call takes. */
  parameters: readonly string[];
}

interface Node {
  next: Map<string, Node>;
  /** A path parameter's name and what follows it. */
  parameter?: { name: string; node: Node };
  routes: Map<string, Route>;
}

const emptyNode = (): Node => ({ next: new Map(), routes: new Map() });

export type Match = { route: Route; path: Record<string, string> } | 'no such path' | 'other method';

/** Finds a handler by method and path; fixed segments win over parameters. */
export class Router {
  private readonly root = emptyNode();

  /** @param pattern e.g. `/collections/{name}/points` */
  add(method: string, pattern: string, parameters: readonly string[], handler: Handler): void {
    let node = this.root;
    for (const segment of segmentsOf(pattern)) {
      if (segment.startsWith('{')) {
        node.parameter ??= { name: segment.slice(1, -1), node: emptyNode() };
        node = node.parameter.node;
      } else {
        let next = node.next.get(segment);
        if (next === undefined) node.next.set(segment, (next = emptyNode()));
        node = next;
      }
    }
    node.routes.set(method, { handler, parameters });
  }

  match(method: string, path: string): Match {
    const parameters: Record<string, string> = {};
    const segments = segmentsOf(path);
    const route = this.find(this.root, segments, 0, parameters, (node) => node.routes.get(method));
    if (route !== undefined) return { route, path: parameters };
    const other = this.find(this.root, segments, 0, {}, (node) => [...node.routes.values()][0]);
    return other === undefined ? 'no such path' : 'other method';
  }

  private find(
    node: Node,
    segments: readonly string[],
    at: number,
    parameters: Record<string, string>,
    routeOf: (node: Node) => Route | undefined,
  ): Route | undefined {
    const segment = segments[at];
    if (segment === undefined) return routeOf(node);
    const fixed = node.next.get(segment);
    const found = fixed && this.find(fixed, segments, at + 1, parameters, routeOf);
    if (found !== undefined || node.parameter === undefined) return found;
    const { name, node: following } = node.parameter;
    const below = this.find(following, segments, at + 1, parameters, routeOf);
    if (below !== undefined) parameters[name] = decoded(segment);
    return below;
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new QdrantError(400, `Deserialize error in path parameters: ${segment} is not percent-encoded UTF-8`);
  }
}

const segmentsOf = (path: string): string[] => path.split('/').slice(1);
