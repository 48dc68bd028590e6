/**
 * The same pages, the next of which is fetched while the present one is worked on: two are held at most, and the stores
 * and this process work at the same time. Ends when what it had begun to fetch is there.
 */
export async function* readAhead<Page>(pages: AsyncGenerator<Page>): AsyncGenerator<Page> {
  const fetch = (): Promise<IteratorResult<Page>> => {
    const fetching = pages.next();
    // It may fail before anybody waits for it.
    fetching.catch(() => undefined);
    return fetching;
  };
  let fetching = fetch();
  try {
    for (;;) {
      const { value, done } = await fetching;
      if (done) return;
      fetching = fetch();
      yield value;
    }
  } finally {
    await fetching.catch(() => undefined);
  }
}
