import { DomainError } from './domain-error';

/** @param problem what is wrong and what would be right, to follow `field: ` */
export function badInput(field: string, problem: string): DomainError {
  return new DomainError('BAD_INPUT', `${field}: ${problem}.`, { details: { field } });
}
