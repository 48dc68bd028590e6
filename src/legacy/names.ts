import { quoted } from './sql-text';

const SUFFIX = '_before_kindred';
/** PostgreSQL cuts longer names off. */
const LONGEST_NAME = 63;

export interface TableName {
  schema: string;
  name: string;
}

/** What the table is called once the view has its name. */
export function aside({ schema, name }: TableName): TableName {
  return { schema, name: `${name.slice(0, LONGEST_NAME - SUFFIX.length)}${SUFFIX}` };
}

export const sqlName = ({ schema, name }: TableName): string => quoted(schema, name);

/** For messages. */
export const shown = ({ schema, name }: TableName): string => `${schema}.${name}`;
