import type { VectorCondition, VectorFilter } from '../../kernel/vector/vector-filter';

/**
 * The filter as it is sent. Qdrant passes over an empty `should`, so that it would match every point; the port says
 * that it matches none, which a `has_id` of nobody says to Qdrant.
 */
export function compileFilter(filter: VectorFilter): VectorFilter {
  const { must, should, must_not } = filter;
  const compiled: VectorFilter = {};
  if (must) compiled.must = must.map(compileCondition);
  if (must_not) compiled.must_not = must_not.map(compileCondition);
  if (should?.length === 0) compiled.must = [...(compiled.must ?? []), { has_id: [] }];
  else if (should) compiled.should = should.map(compileCondition);
  return compiled;
}

function compileCondition(condition: VectorCondition): VectorCondition {
  const isFilter = 'must' in condition || 'should' in condition || 'must_not' in condition;
  return isFilter ? compileFilter(condition) : condition;
}
