import { DomainError } from '../errors/domain-error';
import type { GraphQLContext, Role } from './context';

const RANK: Record<Role, number> = { reader: 0, writer: 1, admin: 2 };

/** @throws FORBIDDEN when the caller may do less than `role` may */
export function requireRole(context: GraphQLContext, role: Role): void {
  if (RANK[context.role] < RANK[role]) {
    throw new DomainError('FORBIDDEN', `This needs the role ${role}; the caller has ${context.role}.`, {
      details: { required: role },
    });
  }
}
