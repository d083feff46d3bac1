/* Names of signals, for saying how a process died. */
#pragma once

/* "SIGSEGV"; "SIGRT" for any real-time signal, "SIG?" for what is none. Static text. */
const char *signal_name(int signo);
