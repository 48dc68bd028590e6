import { closers } from './shared-servers';

export default async function globalTeardown(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}
