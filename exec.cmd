@rem cmd.exe has no exec, which the scripts of package.json begin with: for it this file is the command.
@%*
