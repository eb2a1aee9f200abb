/** What every page of the console has. */
import "./desk/half.js";
import "./desk/palette.js";
import "./desk/strip.js";
import "./desk/unread.js";
