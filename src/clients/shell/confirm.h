/* A question to the person at the terminal. */
#pragma once

enum confirm_answer {
    CONFIRM_NO = 1,
    CONFIRM_YES = 2,
    CONFIRM_GAVE_UP = 3, /* interrupted, or nobody is there */
};

/*
 * Asks `question` on the terminal `tty` and waits for one key: y or Y is yes, interrupt and end of
 * file give up, everything else is no. Keys pressed before the question was shown don't count: they
 * may have been pasted.
 */
enum confirm_answer confirm(int tty, const char *question);
