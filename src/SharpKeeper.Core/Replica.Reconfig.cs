using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core;

/// <summary>Requests that change the ensemble itself.</summary>
public sealed partial class Replica
{
    private const int VotersMin = 2;

    private EnsembleConfig? preparedConfig;

    /// <summary>
    /// Prepares a reconfiguration: the same checks in the same order as Apache's leader. False if the request cannot be
    /// decoded; a refusal becomes an error transaction.
    /// </summary>
    private bool TryPrepareReconfig(in TxnContext context, ReadOnlySpan<byte> body)
    {
        if (!ReconfigRequest.TryRead(body, out ReconfigRequest request))
            return false;
        ErrorCode error = CheckReconfig(request, out EnsembleConfig? changed);
        if (error != ErrorCode.Ok)
            TxnPreparer.PrepareError(context, error, Outbox.OpenBatch());
        else if (preparer.PrepareReconfig(context, changed!, Outbox.OpenBatch()) == ErrorCode.Ok)
            preparedConfig = changed!.WithVersion(context.Zxid.Value);
        return true;
    }

    private ErrorCode CheckReconfig(in ReconfigRequest request, out EnsembleConfig? changed)
    {
        changed = null;
        if (!options.ReconfigEnabled)
            return ErrorCode.ReconfigDisabled;
        Membership current = zab!.Members;
        if (current.Next is not null)
            return ErrorCode.ReconfigInProgress;
        if (request.FromVersion != ReconfigRequest.AnyVersion && request.FromVersion != current.Committed.Version)
            return ErrorCode.BadVersion;
        if (!current.Committed.TryChange(
            request.Joining, request.Leaving, request.NewMembers, out changed, out ErrorCode error, out _))
            return error;
        if (changed.Voters.Count < (options.Ensemble!.AllowsSingleVoter ? 1 : VotersMin))
            return ErrorCode.BadArguments;
        return zab.Leader!.HasSynchronisedQuorumOf(changed, nowMs) ? ErrorCode.Ok : ErrorCode.NewConfigNoQuorum;
    }
}
