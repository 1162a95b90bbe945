// The error page: nothing but what every page has.

import { startShell } from "../lib/shell.js";

startShell();
