export async function importBench(): Promise<void> {}
