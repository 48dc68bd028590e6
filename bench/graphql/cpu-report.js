// @ts-check
'use strict';

/** Loaded before a server that is measured: tells its parent, on request, how much processor time it has used. */
process.on('message', (message) => {
  if (message === 'cpu') process.send?.({ cpu: process.cpuUsage() });
});
// Asking must not keep alive what has nothing left to do.
process.channel?.unref();
