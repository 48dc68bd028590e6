import type { Loaders } from './loaders';
import type { Services } from './services';

export type Role = 'reader' | 'writer' | 'admin';

/** What every resolver gets: services, this request's loaders, and who asks. */
export interface GraphQLContext {
  services: Services;
  loaders: Loaders;
  /** Recorded as the writer of what this request changes. */
  actor: string;
  role: Role;
  /** Names the request in log lines, where it came over HTTP. */
  requestId?: string;
}
