/** How a text index splits a value into tokens. */
export interface TextOptions {
  tokenizer: 'word' | 'whitespace';
  isLowercased: boolean;
  minTokenLength: number;
  maxTokenLength: number;
  hasPhrases: boolean;
}

const SEPARATORS = { word: /[^\p{L}\p{N}]+/u, whitespace: /\s+/u };

export function tokensOf(text: string, options: TextOptions): string[] {
  const source = options.isLowercased ? text.toLowerCase() : text;
  return source.split(SEPARATORS[options.tokenizer]).filter((token) => {
    if (token === '') return false;
    const length = [...token].length;
    return length >= options.minTokenLength && length <= options.maxTokenLength;
  });
}

export function containsPhrase(tokens: readonly string[], phrase: readonly string[]): boolean {
  for (let start = 0; start + phrase.length <= tokens.length; start += 1) {
    if (phrase.every((token, at) => tokens[start + at] === token)) return true;
  }
  return false;
}
