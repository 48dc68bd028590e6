const UNSTORABLE = /[\u0000]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
/** Letters, digits, signs: anything that leaves a mark. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}]/u;

/** Follows the name of a field whose text `isStorable` refuses. */
export const UNSTORABLE_PROBLEM = 'has a NUL character or half of a surrogate pair, which cannot be stored';

/** Whether PostgreSQL can hold the text, and JSON carry it to other programs. */
export const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/** Whether a reader would see nothing at all: white space, zero-width characters. */
export const isBlank = (text: string): boolean => !VISIBLE.test(text);
