namespace SharpKeeper.CompatTests.Clients;

/// <summary>A directory for what a test compiles; it goes with its owner.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("sharpkeeper-program-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
