"""What a terminal shows: renders the bytes of a program to lines of text, as far as shells need it.

Knows carriage return, line feed, backspace, wrapping, and the sequences that move the cursor or erase; colours and modes
are dropped. Lines that scroll off are kept.
"""
import re

CSI = re.compile(r"\x1b\[([0-9;?]*)[ -/]*([@-~])")
OTHER = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|\x1b[=>78cDEHM]")


class Screen:
    def __init__(self, columns=100):
        self.columns = columns
        self.lines = [[]]
        self.row = 0
        self.column = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = CSI.match(text, at) or OTHER.match(text, at)
                if match:
                    if match.re is CSI:
                        self.control(match[1], match[2])
                    at = match.end()
                    continue
            self.character(text[at])
            at += 1

    def character(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.down()
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char >= " ":
            if self.column >= self.columns:
                self.column = 0
                self.down()
            line = self.lines[self.row]
            line.extend(" " * (self.column + 1 - len(line)))
            line[self.column] = char
            self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])

    def control(self, parameters, final):
        number = int(parameters) if parameters.isdigit() else 0
        if final == "A":
            self.row = max(0, self.row - max(1, number))
        elif final == "B":
            for _ in range(max(1, number)):
                self.down()
        elif final == "C":
            self.column += max(1, number)
        elif final == "D":
            self.column = max(0, self.column - max(1, number))
        elif final == "G":
            self.column = max(1, number) - 1
        elif final == "K":
            self.erase_line(number)
        elif final == "J" and number == 0:
            self.erase_line(0)
            del self.lines[self.row + 1 :]

    def erase_line(self, which):
        line = self.lines[self.row]
        if which == 0:
            del line[self.column :]
        elif which == 1:
            line[: self.column + 1] = " " * (self.column + 1)
        else:
            line.clear()

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


def render(data, columns=100):
    """The lines that a program's output leaves on a terminal so wide."""
    screen = Screen(columns)
    screen.feed(data.decode(errors="replace"))
    return screen.text()
