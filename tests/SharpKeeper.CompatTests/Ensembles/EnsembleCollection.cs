namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Ensembles run one at a time: each is several processes.</summary>
[CollectionDefinition(Name)]
public sealed class EnsembleCollection
{
    /// <summary>Its name.</summary>
    public const string Name = "ensembles";
}

/// <summary>
/// Where tests run that say nothing of SharpKeeper: as trait <c>Lane</c>, which <c>eng/check.sh full</c> leaves out and
/// <c>eng/check.sh nightly</c> does not.
/// </summary>
internal static class Lane
{
    /// <summary>Name of the trait.</summary>
    public const string Trait = nameof(Lane);

    /// <summary>Only in the nightly run.</summary>
    public const string Nightly = nameof(Nightly);
}
