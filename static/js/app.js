// What every page loads: each import is one behaviour and stands alone. Pages work without any of them.
import "./arrivals.js";
import "./dialog.js";
import "./elapsed-time.js";
import "./hotkeys.js";
import "./list-keys.js";
import "./live.js";
import "./preview.js";
import "./relative-time.js";
import "./request-failed.js";
import "./row-order.js";
import "./session-clock.js";
import "./submit-once.js";
import "./thread.js";
import "./toast.js";
import "./toggles.js";
import "./tooltip.js";
import "./typing.js";
