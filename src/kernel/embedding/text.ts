/** Joins what is there with line breaks; blank and absent parts vanish. */
export function lines(...parts: (string | null | undefined)[]): string {
  return parts
    .map((part) => part?.trim() ?? '')
    .filter((part) => part !== '')
    .join('\n');
}

/** `label: a, b, c`, or nothing when there is no item. */
export function labelled(label: string, items: readonly (string | null | undefined)[]): string {
  const present = items.map((item) => item?.trim() ?? '').filter((item) => item !== '');
  return present.length === 0 ? '' : `${label}: ${present.join(', ')}`;
}
