export interface BatchLimits {
  /** Inputs in one request; OpenAI accepts 2,048. */
  maxInputs: number;
  /** Tokens in one request, summed over its inputs; OpenAI accepts 300,000. */
  maxRequestTokens: number;
}

/** A run of neighbouring texts, as indexes into the caller's list: `from` inclusive, `to` exclusive. */
export interface TextRange {
  from: number;
  to: number;
}

/**
 * Cuts a list of texts into requests that respect the provider's limits.
 * Tokens are estimated as a third of the UTF-8 bytes: English has about four bytes a token, most other text two to
 * three. Where that is too low, the provider refuses and the request is halved.
 */
export function batchRanges(texts: readonly string[], limits: BatchLimits): TextRange[] {
  const ranges: TextRange[] = [];
  let from = 0;
  let tokens = 0;
  texts.forEach((text, index) => {
    const estimate = Math.ceil(Buffer.byteLength(text) / 3);
    const isFull = index - from >= limits.maxInputs || tokens + estimate > limits.maxRequestTokens;
    if (isFull && index > from) {
      ranges.push({ from, to: index });
      from = index;
      tokens = 0;
    }
    tokens += estimate;
  });
  if (from < texts.length) ranges.push({ from, to: texts.length });
  return ranges;
}

export function halves({ from, to }: TextRange): [TextRange, TextRange] {
  const middle = from + Math.ceil((to - from) / 2);
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}
