namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Ensembles run one at a time: each is several processes.</summary>
[CollectionDefinition(Name)]
public sealed class EnsembleCollection
{
    /// <summary>Its name.</summary>
    public const string Name = "ensembles";
}
