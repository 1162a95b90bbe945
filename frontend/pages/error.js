// The error page: only the common parts.

import { startShell } from "../lib/shell.js";

startShell();
