Console.Error.WriteLine("usage: sharpkeeper server|shell|bench|log|snapshot");
return 2;
