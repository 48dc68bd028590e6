declare module 'wink-porter2-stemmer' {
  /** Porter's second English stemmer. `word` must be lower-case. */
  function stem(word: string): string;
  export = stem;
}
