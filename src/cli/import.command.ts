import type { Command } from 'commander';

export function addImportCommand(_program: Command, _outcome: { code: number }): void {
  // Filled in by the readers of src/import.
}
