namespace SharpKeeper.Server.Configuration;

/// <summary>What becomes of a key.</summary>
internal enum SettingEffect
{
    /// <summary>The key sets a member of <see cref="ServerOptions"/>.</summary>
    Applied,

    /// <summary>As <see cref="Applied"/>, and Apache reads it as a system property only: there the file has no say,
    /// so here a system property wins over the file.</summary>
    AppliedPropertyFirst,

    /// <summary>The key steers machinery this server does not have; the note says which.</summary>
    None,
}

/// <summary>One key this server knows.</summary>
/// <param name="Key">The key as Apache's documents spell it.</param>
/// <param name="Effect">What becomes of it.</param>
/// <param name="Apply">Reads the value into the options; throws <see cref="SettingException"/>.</param>
/// <param name="Note">Why the key has no effect, as the end of a sentence; null when it has one.</param>
internal sealed record Setting(
    string Key,
    SettingEffect Effect,
    Func<ServerOptions, SettingValue, ServerOptions> Apply,
    string? Note = null)
{
    internal static Setting Applied(string key, Func<ServerOptions, SettingValue, ServerOptions> apply) =>
        new(key, SettingEffect.Applied, apply);

    internal static Setting PropertyFirst(string key, Func<ServerOptions, SettingValue, ServerOptions> apply) =>
        new(key, SettingEffect.AppliedPropertyFirst, apply);

    internal static Setting NoEffect(string key, string note) =>
        new(key, SettingEffect.None, static (options, _) => options, note);
}
