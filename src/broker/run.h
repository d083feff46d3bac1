/* The broker's loop. */
#pragma once

struct shell;

/* Runs until the core wants to end, the launcher is gone, or memory ran out. */
void run_loop(struct shell *shell);
