/*
 * The question "run it anyway?".
 *
 * Promises: the terminal is left in the mode in which it was found, also on interrupt (which is
 * read as a key, since the shell has put the terminal into a mode of its own); whatever was in its
 * queue before the question is thrown away, so that a pasted text cannot answer for the person.
 */
#include "clients/shell/confirm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define KEY_INTERRUPT 0x03
#define KEY_END       0x04

static int read_key(int tty)
{
    unsigned char key;
    ssize_t n;

    do {
        n = read(tty, &key, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1 ? key : -1;
}

enum confirm_answer confirm(int tty, const char *question)
{
    enum confirm_answer answer = CONFIRM_NO;
    struct termios before, raw;
    const char *said = "no\n";
    int key;

    if (tcgetattr(tty, &before) < 0) {
        return CONFIRM_GAVE_UP;
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(tty, TCSAFLUSH, &raw) < 0) {
        return CONFIRM_GAVE_UP;
    }
    dprintf(tty, "%s [y/N] ", question);
    key = read_key(tty);
    if (key == 'y' || key == 'Y') {
        answer = CONFIRM_YES;
        said = "yes\n";
    } else if (key < 0 || key == KEY_INTERRUPT || key == KEY_END) {
        answer = CONFIRM_GAVE_UP;
    }
    dprintf(tty, "%s", said);
    /* What was typed behind the answer was not meant for the shell, either. */
    tcsetattr(tty, TCSAFLUSH, &before);
    return answer;
}
