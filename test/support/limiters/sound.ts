// The sound limiter as it is: the lab must not fail it, whatever it tells of itself.

import { serve } from './serve.ts';

await serve();
