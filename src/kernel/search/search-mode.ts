export const searchModes = ['SEMANTIC', 'LEXICAL', 'HYBRID'] as const;

/** How text is compared: by meaning, by words, or by both, fused in the vector server. */
export type SearchModeName = (typeof searchModes)[number];
