import type { ColumnRole } from './legacy-table';
import type { TableName } from './names';

/** How a table is moved. Fixed by the first copy, so that everything later reads rows the same way. */
export interface MoveSettings {
  table: TableName;
  /** Columns that are not called as usual. */
  columns: Partial<Record<ColumnRole, string>>;
  /** Entity types that are called otherwise than here, e.g. `resume` → `generated_resume`. */
  entityTypes: Record<string, string>;
  /** Embedding types that are called otherwise. */
  embeddingTypes: Record<string, string>;
  /** Which column of the parent tables `entity_id` holds. */
  matchBy: 'id' | 'external_id' | 'uuid';
  /** Zone of timestamps without one. */
  timeZone: string;
  /** Collection that holds the points, `collection#vector` where the vector has a name; null when points are made anew. */
  vectorHome: string | null;
}
