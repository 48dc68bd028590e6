/** Where vectors are that Kindred did not make. */
export interface VectorHome {
  collection: string;
  /** Name of the vector in each point; empty for the unnamed one. */
  vector: string;
}

/** `collection`, or `collection#vector` where the vector has a name. */
export function writeVectorHome({ collection, vector }: VectorHome): string {
  return vector === '' ? collection : `${collection}#${vector}`;
}

export function readVectorHome(home: string): VectorHome {
  const at = home.lastIndexOf('#');
  return at < 0 ? { collection: home, vector: '' } : { collection: home.slice(0, at), vector: home.slice(at + 1) };
}
