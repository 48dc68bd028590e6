import { DomainError } from '../errors/domain-error';
import type { RecordKind } from './record-spec';

/** All kinds of record, found by kind, by GraphQL type or by class. */
export class KindRegistry {
  private readonly byKind = new Map<string, RecordKind>();
  private readonly byTypeName = new Map<string, RecordKind>();

  constructor(readonly all: readonly RecordKind[]) {
    for (const kind of all) {
      if (this.byKind.has(kind.kind)) throw new Error(`The kind ${kind.kind} is registered twice`);
      this.byKind.set(kind.kind, kind);
      this.byTypeName.set(kind.names.type, kind);
    }
  }

  get embeddable(): RecordKind[] {
    return this.all.filter((kind) => kind.embedding !== undefined);
  }

  kind(name: string): RecordKind {
    const found = this.byKind.get(name);
    if (!found) throw new Error(`There is no kind ${name}`);
    return found;
  }

  ofType(typeName: string): RecordKind | undefined {
    return this.byTypeName.get(typeName);
  }

  /** The kind whose embedding rows have this GraphQL type. */
  ofRowType(typeName: string): RecordKind | undefined {
    return this.all.find((kind) => kind.embedding?.typeName === typeName);
  }

  requireType(typeName: string, field: string): RecordKind {
    const found = this.byTypeName.get(typeName);
    if (!found?.embedding) {
      throw new DomainError('INVALID_ID', `${field}: a ${typeName} has no embeddings.`, { details: { field } });
    }
    return found;
  }
}
