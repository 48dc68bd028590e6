import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';

/** Names of the fields that are selected below `path` (e.g. `edges`, `node`), through fragments. */
function collect(info: GraphQLResolveInfo, sets: readonly SelectionSetNode[], visit: (field: FieldNode) => void): void {
  for (const set of sets) {
    for (const selection of set.selections) {
      switch (selection.kind) {
        case Kind.FIELD:
          visit(selection);
          break;
        case Kind.INLINE_FRAGMENT:
          collect(info, [selection.selectionSet], visit);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = info.fragments[selection.name.value];
          if (fragment) collect(info, [fragment.selectionSet], visit);
          break;
        }
      }
    }
  }
}

const setsOf = (nodes: readonly FieldNode[]): SelectionSetNode[] =>
  nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));

const selected = new WeakMap<FieldNode, ReadonlySet<string>>();

/** Fields selected on the records of a connection: under `nodes` and `edges.node`. Read once a document. */
export function selectedOnNodes(info: GraphQLResolveInfo): ReadonlySet<string> {
  const [first] = info.fieldNodes;
  // A field that is written twice has a node for each place, and which of them count may depend on variables.
  if (!first || info.fieldNodes.length > 1) return readSelected(info);
  let names = selected.get(first);
  if (!names) selected.set(first, (names = readSelected(info)));
  return names;
}

function readSelected(info: GraphQLResolveInfo): ReadonlySet<string> {
  const names = new Set<string>();
  const nodes: FieldNode[] = [];
  const edges: FieldNode[] = [];
  collect(info, setsOf(info.fieldNodes), (field) => {
    if (field.name.value === 'nodes') nodes.push(field);
    else if (field.name.value === 'edges') edges.push(field);
  });
  collect(info, setsOf(edges), (field) => {
    if (field.name.value === 'node') nodes.push(field);
  });
  collect(info, setsOf(nodes), (field) => names.add(field.name.value));
  return names;
}

const selectedBelow = new WeakMap<FieldNode, ReadonlySet<string>>();

/** Fields selected directly below this one. Read once a document. */
export function selectedFields(info: GraphQLResolveInfo): ReadonlySet<string> {
  const [first] = info.fieldNodes;
  let names = info.fieldNodes.length === 1 && first ? selectedBelow.get(first) : undefined;
  if (!names) {
    const found = new Set<string>();
    collect(info, setsOf(info.fieldNodes), (field) => found.add(field.name.value));
    names = found;
    if (info.fieldNodes.length === 1 && first) selectedBelow.set(first, names);
  }
  return names;
}
