import { specOf } from '../kernel/embedding/embedding-reader';
import type { RecordKind } from '../kernel/record/record-spec';

/** What the polymorphic table can refer to, by the names that it uses. */
const LEGACY_TYPES = [
  'profile',
  'job_description',
  'generated_resume',
  'work_experience',
  'project',
  'education',
  'skill',
];

/** Where rows of one entity type go. */
export interface LegacyKind {
  kind: string;
  /** Position among the kinds, from 1; makes ids of different tables differ. */
  ordinal: number;
  /** In messages: `Job description`. */
  label: string;
  parentTable: string;
  table: string;
  sourceColumn: string;
  chunkColumn: string;
  /** Embedding types that the table takes; the first is that of the whole text. */
  types: readonly string[];
}

export function legacyKinds(kinds: readonly RecordKind[]): LegacyKind[] {
  return LEGACY_TYPES.map((name, i) => {
    const kind = kinds.find((candidate) => candidate.kind === name);
    if (!kind) throw new Error(`There is no kind ${name}`);
    const spec = specOf(kind);
    const words = name.replaceAll('_', ' ');
    return {
      kind: name,
      ordinal: i + 1,
      label: `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
      parentTable: kind.table,
      table: spec.table,
      sourceColumn: spec.sourceColumn,
      chunkColumn: spec.chunkColumn,
      types: Object.keys(spec.types),
    };
  });
}

export function wholeTextType(kind: LegacyKind): string {
  return kind.types[0] ?? 'full';
}
